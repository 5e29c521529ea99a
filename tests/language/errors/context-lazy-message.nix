builtins.addErrorContext (throw "message not needed") 1
