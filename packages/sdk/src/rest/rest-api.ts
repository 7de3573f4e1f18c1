// Made by `npm run docs` from the edge's table of REST operations: change that, not this file.

/** The paths below `/api/`, their methods, and the query parameters of each. */
export interface RestApi {
  readonly health: {
    readonly HEAD: never;
    readonly GET: never;
  };
  readonly 'hubs/{hub}/:send': {
    readonly POST: 'application' | 'excluded';
  };
  readonly 'hubs/{hub}/connections/{connectionId}/:send': {
    readonly POST: 'application';
  };
  readonly 'hubs/{hub}/users/{user}/:send': {
    readonly POST: 'application';
  };
  readonly 'hubs/{hub}/groups/{group}/:send': {
    readonly POST: 'application' | 'excluded';
  };
  readonly 'hubs/{hub}/connections/{connectionId}': {
    readonly HEAD: 'application';
    readonly GET: 'application';
    readonly DELETE: 'application' | 'reason';
  };
  readonly 'hubs/{hub}/groups/{group}': {
    readonly HEAD: 'application';
    readonly GET: 'application';
  };
  readonly 'hubs/{hub}/users/{user}': {
    readonly HEAD: 'application';
    readonly GET: 'application';
  };
  readonly 'hubs/{hub}/users/{user}/groups/{group}': {
    readonly HEAD: 'application';
    readonly GET: 'application';
    readonly PUT: 'application' | 'ttl';
    readonly DELETE: 'application';
  };
  readonly 'hubs/{hub}/groups/{group}/connections/{connectionId}': {
    readonly PUT: 'application';
    readonly DELETE: 'application';
  };
  readonly 'hubs/{hub}/connections/{connectionId}/groups': {
    readonly DELETE: 'application';
  };
  readonly 'hubs/{hub}/users/{user}/groups': {
    readonly DELETE: 'application';
  };
  readonly 'hubs/{hub}/:closeConnections': {
    readonly POST: 'application' | 'excluded' | 'reason';
  };
  readonly 'hubs/{hub}/groups/{group}/:closeConnections': {
    readonly POST: 'application' | 'excluded' | 'reason';
  };
  readonly 'hubs/{hub}/users/{user}/:closeConnections': {
    readonly POST: 'application' | 'excluded' | 'reason';
  };
  readonly 'hubs/{hub}/:generateToken': {
    readonly POST: 'application' | 'userId' | 'minutesToExpire';
  };
  readonly 'auth/accessKey': {
    readonly GET: never;
  };
  readonly 'hubs/{hub}/:execute': {
    readonly POST: 'application' | 'filter';
  };
  readonly 'hubs/{hub}/connections/{connectionId}/:invoke': {
    readonly POST: 'application';
  };
  readonly 'hubs/{hub}/connections/{connectionId}/streams/{streamId}/:send': {
    readonly POST: 'application' | 'completed';
  };
  readonly 'hubs/{hub}/connections/{connectionId}/streams/{streamId}/:complete': {
    readonly POST: 'application' | 'error' | 'reason';
  };
  readonly 'hubs/{hub}/groups/{group}/connections': {
    readonly GET: 'application' | 'maxpagesize' | 'top' | 'continuationToken';
  };
  readonly 'hubs/{hub}/connections/:refreshAuth': {
    readonly POST: 'application';
  };
  readonly 'hubs/{hub}/connections/claims': {
    readonly POST: 'application';
  };
  readonly 'x/hubs/{hub}/count': {
    readonly GET: 'application';
  };
  readonly 'x/hubs/{hub}/groups/{group}/count': {
    readonly GET: 'application';
  };
  readonly 'x/hubs/{hub}/users/{user}/count': {
    readonly GET: 'application';
  };
  readonly 'x/hubs/{hub}/connections': {
    readonly GET: 'application' | 'top' | 'cursor';
  };
  readonly 'x/hubs/{hub}/groups/{group}/connections': {
    readonly GET: 'application' | 'top' | 'cursor';
  };
  readonly 'x/hubs/{hub}/users/{user}/connections': {
    readonly GET: 'application' | 'top' | 'cursor';
  };
}

/** What `x-ms-error-code` says where what a call names is not there. */
export type AbsentCode =
  | 'Warning.Connection.NotExisted'
  | 'Warning.Group.NotExisted'
  | 'Warning.User.NotExisted'
  | 'Info.User.NotInGroup'
  | 'Error.Connection.NotExisted'
  | 'ConnectionNotFound';
