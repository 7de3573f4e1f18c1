import { describe, expect, it } from 'vitest';

import { problemOf } from './part.ts';

describe('why a part cannot be restored', () => {
  it('is every complaint of NuGet, once', () => {
    const output = [
      '/a/A.csproj : error NU1101: Unable to find package B.C. No packages exist with this id in source(s): nuget.org',
      '/a/A.csproj : error NU1101: Unable to find package B.C. No packages exist with this id in source(s): nuget.org',
      '/a/A.csproj : warning NU1603: A depends on D (>= 1.0.0) but D 1.0.0 was not found.',
      '/a/A.csproj : error NU1301: Unable to load the service index for source https://api.nuget.org/v3/index.json.',
      '/a/A.csproj : error NU1301:   Connection refused (api.nuget.org:443)',
      'Command failed: dotnet restore',
    ].join('\n');
    expect(problemOf(output)).toBe(
      'NU1101: Unable to find package B.C; NU1301: Unable to load the service index for source https://api.nuget.org/v3/index.json',
    );
  });

  it('is also that NuGet does not end, but no mistake of ours', () => {
    expect(problemOf('\nit took longer than 90000 ms')).toBe('it took longer than 90000 ms');
    expect(problemOf('/a/A.csproj : error MSB4025: The project file is broken.')).toBeUndefined();
  });
});
