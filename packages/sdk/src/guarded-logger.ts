import type { Logger } from './options.ts';
import { runUnheeded } from './unheeded.ts';

/** A logger that never throws: where the app's own does, the console gets both. */
export function guardedLogger(logger: Logger): Logger {
  return {
    info: (message) => guard(message, () => logger.info(message)),
    warn: (message) => guard(message, () => logger.warn(message)),
    error: (message, ...error) => guard(message, () => logger.error(message, ...error)),
  };
}

function guard(message: string, log: () => unknown): void {
  runUnheeded(log, (error) => console.error('the logger failed:', error, 'on:', message));
}
