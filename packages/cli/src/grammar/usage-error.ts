/** Mistakes on the command line. */
import { FirnError } from "@firn/formats/base";

/** A mistake on the command line; the renderer adds the reference's "Try … --help" line. */
export class UsageError extends FirnError {
  /** Takes the message and similar names, which are shown as suggestions. */
  constructor(message: string, suggestions: readonly string[] = []) {
    super("usage", message, suggestions.length === 0 ? {} : { suggestions });
    this.name = "UsageError";
  }
}
