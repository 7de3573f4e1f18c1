/** No tutorial's: an app that somebody tries beside the sample is to have clients of its own. */
export const HUB = 'trunkline_serverless_sample';

/** The group that everybody is in. */
export const ROOM = 'room';

/** What the app calls on pages. */
export interface RoomClient {
  joined(name: string): void;
  left(name: string): void;
  /** `at`: milliseconds since 1970, by the app's clock. */
  said(name: string, text: string, at: number): void;
}
