"""The programs that outline the brain on a whole-head scan; ``steps.brain_extraction`` chooses among them."""
