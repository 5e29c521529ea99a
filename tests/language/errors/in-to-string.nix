"${{ __toString = throw "ts"; }}"
