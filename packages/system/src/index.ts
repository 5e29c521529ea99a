/** What is switched: profiles and their generations; later whole systems and homes. */
export * from "./profile/change.ts";
export * from "./profile/generations.ts";
export * from "./profile/location.ts";
export * from "./profile/manifest.ts";
