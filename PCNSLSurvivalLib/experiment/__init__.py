"""The paper's experiment as one value and one command: its plan, its jobs, their run, and the results."""
