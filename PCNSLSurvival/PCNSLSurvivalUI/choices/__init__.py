"""What the user chose: scans, model, engines and options, kept in the scene, and what is guessed for them."""
