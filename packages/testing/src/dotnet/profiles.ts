/** Versions of the .NET package that the stand-in behaves like. */
export const PROFILE_NAMES = ['1.34.0', '1.15.2'] as const;

export type ProfileName = (typeof PROFILE_NAMES)[number];

/**
 * What sets one version of `Microsoft.Azure.SignalR` apart from the other on the wire (service
 * protocol reference, section 20; the sections named below are its too).
 */
export interface Profile {
  readonly name: ProfileName;
  /** What stands in `Asrs-User-Agent` before the platform (2). */
  readonly product: string;
  /** The handshake request has its seventh element (6, 20.1). */
  readonly saysStatefulReconnect: boolean;
  /** OpenConnection must name the hub protocol, or the client is lost in silence (18.1, 20.3). */
  readonly needsProtocol: boolean;
  /** One hub message to a ConnectionData, marked with its kind; else all that is ready (18.2). */
  readonly marksData: boolean;
  /** `asrs.s.uid` names the user; else the name identifier alone does (3.5). */
  readonly readsUserIdClaim: boolean;
  /** Knows messages 34 to 37 (11). */
  readonly clientResults: boolean;
  /** Knows messages 41 to 43 (18.6). */
  readonly refreshesAuth: boolean;
  /** Obeys message 39 (18.3). */
  readonly flowControl: boolean;
  /** Joins chunks that are marked as partial, and drops them at message 38 (18.4). */
  readonly partialData: boolean;
  /** Group commands keep to the connection that the hub call came by; else any one (9). */
  readonly groupsKeepToCaller: boolean;
  /** One count of ack ids for the process; else one for each hub (10). */
  readonly acksOfProcess: boolean;
  /** Sends of one target from outside a hub keep to one connection (18.10). */
  readonly partitions: boolean;
  /** Shutdown in mode Off says `fin:0` and closes its clients; else the sockets just drop (20.8). */
  readonly finWhenOff: boolean;
  /** A client leaves the table only if it is the one there; else whoever has its id does (20.9). */
  readonly leavesByIdentity: boolean;
  /** A client whose bytes cannot be written is dropped from the table (20.6, ServiceError). */
  readonly dropsUnwritable: boolean;
  /** How long hubs may take to end a client that the service has closed, in milliseconds (8.5). */
  readonly closeWaitMs: number;
  /** Reserved claims are renamed in client tokens (3.4). */
  readonly renamesReservedClaims: boolean;
  /** `iss` of every token (3.1). */
  readonly issuer: string | undefined;
  /** The JOSE header's members, in order (3.1). */
  readonly tokenHeader: readonly ('alg' | 'typ' | 'kid')[];
}

const V1_34: Profile = {
  name: '1.34.0',
  product: 'Microsoft.Azure.SignalR/1.34.0-rtm+9c449f38907b97c317ae93ed470d92ef3568a667',
  saysStatefulReconnect: true,
  needsProtocol: true,
  marksData: true,
  readsUserIdClaim: true,
  clientResults: true,
  refreshesAuth: true,
  flowControl: true,
  partialData: true,
  groupsKeepToCaller: true,
  acksOfProcess: true,
  partitions: true,
  finWhenOff: true,
  leavesByIdentity: true,
  dropsUnwritable: true,
  closeWaitMs: 10_000,
  renamesReservedClaims: true,
  issuer: 'azure-signalr',
  tokenHeader: ['alg', 'typ', 'kid'],
};

const V1_15: Profile = {
  name: '1.15.2',
  product: 'Microsoft.Azure.SignalR/1.15.2-rtm',
  saysStatefulReconnect: false,
  needsProtocol: false,
  marksData: false,
  readsUserIdClaim: false,
  clientResults: false,
  refreshesAuth: false,
  flowControl: false,
  partialData: false,
  groupsKeepToCaller: false,
  acksOfProcess: false,
  partitions: false,
  finWhenOff: false,
  leavesByIdentity: false,
  dropsUnwritable: false,
  closeWaitMs: 30_000,
  renamesReservedClaims: false,
  issuer: undefined,
  tokenHeader: ['alg', 'kid', 'typ'],
};

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  '1.34.0': V1_34,
  '1.15.2': V1_15,
};
