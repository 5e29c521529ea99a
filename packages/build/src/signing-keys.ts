/** The keys with which this machine signs what it builds (setting `secret-key-files`). */
import { parseSecretKey, type SigningKey } from "@firn/formats";
import type { Settings } from "@firn/store";
import * as fs from "@firn/store/files";

/** Reads the secret keys; errors `bad-key` and those of reading files. */
export function readSigningKeys(settings: Settings): SigningKey[] {
  return settings.get("secret-key-files").map((file) => parseSecretKey(fs.readFileSync(file, "latin1")));
}
