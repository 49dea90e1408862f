"""Clinical tables: cell values, columns, dates."""
