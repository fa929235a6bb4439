"""Reports: tables, sentences and files."""
