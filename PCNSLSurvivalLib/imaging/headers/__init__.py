"""Headers of scan files, read and bounded here, so that no reader of another maker meets a file that breaks it."""
