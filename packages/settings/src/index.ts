export { SettingsError } from './errors.ts';
export { describeOptions, helpText, optionsMarkdown } from './help.ts';
export type { OptionDescription } from './help.ts';
export { defineOptions } from './options.ts';
export type { OptionRow, OptionTable, Settings } from './options.ts';
export { readSettings, wantsHelp } from './read.ts';
export type { SettingsSources } from './read.ts';
export { KNOWN_VARIABLES } from './variables.ts';
