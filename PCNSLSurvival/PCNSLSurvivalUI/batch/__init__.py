"""Several patients of the DICOM database, predicted one after another in the background."""
