"""The classifiers that an image model has to beat: clinical variables and radiomics, every fitted step in the fold."""
