import { formatConnectionString } from './connection-string.ts';

/** The key that every process takes with `--dev`. It is public: whoever listens can sign with it. */
export const DEVELOPMENT_ACCESS_KEY = 'trunkline-development-key-not-for-production-00000000';

/** Where an edge started with `--dev` and no other settings is. */
export const DEVELOPMENT_CONNECTION_STRING = formatConnectionString(
  'http://127.0.0.1:8080',
  DEVELOPMENT_ACCESS_KEY,
);
