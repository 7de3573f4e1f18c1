export { SettingsError } from './errors.ts';
export { describeOptions, information, optionsMarkdown } from './help.ts';
export type { OptionDescription, Program } from './help.ts';
export { defineOptions } from './options.ts';
export type { OptionRow, OptionTable, Settings } from './options.ts';
export { readSettings } from './read.ts';
export type { SettingsSources } from './read.ts';
export { KNOWN_VARIABLES } from './variables.ts';
