export { NEGOTIATE_OPTIONS } from './options.ts';
