"""What the network looked at: Grad-CAM and signed evidence, from network cells to the patient grid."""
