/** The oldest Node.js version that runs the program, the same as `engines` in package.json. */
export const oldestNode = "24.12";

/** Tells whether a version of Node.js runs the program. */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode.split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
