/** Hub names, and names of applications (REST reference, section 1.8); they compare ignoring case. */
export const HUB_NAME = /^[A-Za-z][A-Za-z0-9_`,.[\]]{0,127}$/;
