/** Tokens ride in URLs: longer ones are neither minted nor read (service protocol reference, 3.1). */
export const MAX_TOKEN_LENGTH = 4096;
