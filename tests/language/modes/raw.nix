"no newline"
