# As delayed-functions-parts, as XML.
import ./delayed-functions-parts.nix
