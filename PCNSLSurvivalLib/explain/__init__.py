"""Explanation: Grad-CAM and signed evidence, from map cells to the patient grid."""
