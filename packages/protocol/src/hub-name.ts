/** Hub names, and names of applications (REST reference, section 1.8); they compare ignoring case. */
export const HUB_NAME = /^[A-Za-z][A-Za-z0-9_`,.[\]]{0,127}$/;

/** The same for people. The rest of what the pattern allows is what .NET writes for generic hubs. */
export const HUB_NAME_RULE =
  'a hub name has 1 to 128 characters, letters, digits and underscores, and begins with a letter';
