"""The paper's experiment as one value and one command: its plan, its units of work, their run, and the results."""
