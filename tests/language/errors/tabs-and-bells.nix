builtins.trace "a\tb\nc\td\r\aé\t|😀\t|" (
	1 + {	})