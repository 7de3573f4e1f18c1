export { CHAT_OPTIONS } from './options.ts';
