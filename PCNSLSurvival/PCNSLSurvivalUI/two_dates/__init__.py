"""Two T1Gd exams of one patient: compared in the background, their maps side by side."""
