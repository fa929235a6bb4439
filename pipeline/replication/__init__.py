"""Repeat runs with other seeds: settings, experiments, figures over seeds, tables."""
