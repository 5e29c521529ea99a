# `assertions` and `warnings` of a configuration, checked when it is made.
{ lib }:
rec {
  failedAssertions =
    config: map (assertion: assertion.message) (builtins.filter (assertion: !assertion.assertion) config.assertions);

  # `value`, after the warnings of `config` were shown; an error with all messages when assertions of it fail.
  checkAssertions =
    config: value:
    let
      failed = failedAssertions config;
    in
    if failed != [ ] then
      throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (message: "- ${message}") failed}"
    else
      builtins.foldl' (rest: warning: lib.warn warning rest) value (lib.reverseList config.warnings);
}
