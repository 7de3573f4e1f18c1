// The claim types of .NET's default JWT map, long and short (service protocol reference, section 3.4).

const XMLSOAP = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';
const MICROSOFT = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/';
const IDENTITY = 'http://schemas.microsoft.com/identity/claims/';

/** The claim type that .NET apps read a user id from. */
export const NAME_IDENTIFIER = `${XMLSOAP}nameidentifier`;

const LONG_TO_SHORT = new Map([
  [NAME_IDENTIFIER, 'nameid'],
  [`${XMLSOAP}name`, 'unique_name'],
  [`${MICROSOFT}role`, 'role'],
  [`${XMLSOAP}emailaddress`, 'email'],
  [`${XMLSOAP}givenname`, 'given_name'],
  [`${XMLSOAP}surname`, 'family_name'],
  [`${XMLSOAP}dateofbirth`, 'birthdate'],
  [`${XMLSOAP}gender`, 'gender'],
  [`${XMLSOAP}webpage`, 'website'],
  [`${XMLSOAP}upn`, 'upn'],
  [`${XMLSOAP}denyonlysid`, 'denyonlysid'],
  [`${XMLSOAP}thumbprint`, 'certthumbprint'],
  [`${XMLSOAP}rsa`, 'certpublickey'],
  [`${MICROSOFT}windowsaccountname`, 'winaccountname'],
  [`${MICROSOFT}authenticationmethod`, 'authmethod'],
  [`${MICROSOFT}groupsid`, 'groupsid'],
  [`${MICROSOFT}primarygroupsid`, 'primarygroupsid'],
  [`${MICROSOFT}primarysid`, 'primarysid'],
  [`${MICROSOFT}denyonlyprimarysid`, 'denyonlyprimarysid'],
  [`${MICROSOFT}denyonlyprimarygroupsid`, 'denyonlyprimarygroupsid'],
  [`${MICROSOFT}serialnumber`, 'certserialnumber'],
  ['http://schemas.xmlsoap.org/ws/2009/09/identity/claims/actor', 'actort'],
  [`${IDENTITY}objectidentifier`, 'oid'],
  [`${IDENTITY}scope`, 'scp'],
  [`${IDENTITY}tenantid`, 'tid'],
  [`${IDENTITY}identityprovider`, 'idp'],
  ['http://schemas.microsoft.com/claims/authnclassreference', 'acr'],
  ['http://schemas.microsoft.com/claims/authnmethodsreferences', 'amr'],
  ['http://schemas.xmlsoap.org/claims/CommonName', 'commonname'],
  ['http://schemas.xmlsoap.org/claims/Group', 'group'],
]);

const SHORT_TO_LONG = new Map([
  ...[...LONG_TO_SHORT].map(([long, short]) => [short, long] as const),
  ['sub', NAME_IDENTIFIER],
  ['roles', `${MICROSOFT}role`],
]);

/** The name a claim type has inside a token. */
export function shortClaimType(type: string): string {
  return LONG_TO_SHORT.get(type) ?? type;
}

/** The claim type that .NET's own handler of tokens makes of a member; an app server maps nothing. */
export function longClaimType(name: string): string {
  return SHORT_TO_LONG.get(name) ?? name;
}
