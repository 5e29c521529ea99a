(throw "has") ? a
