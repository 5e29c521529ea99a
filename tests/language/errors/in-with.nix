with (throw "with"); foo
