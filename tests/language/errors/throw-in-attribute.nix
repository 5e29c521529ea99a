{ a = throw "message"; }.a
