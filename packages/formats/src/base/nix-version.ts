/** The version of Nix whose behaviour, formats and protocols Firn follows. */
export const nixVersion = "2.34.8";
