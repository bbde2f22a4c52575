"""One question a file: checks, the strategy that decides them in few passes, and the replay of what they find."""
