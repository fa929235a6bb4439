"""The published experiments: settings, runs, figures and pages."""
