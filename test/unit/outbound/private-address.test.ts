import { describe, expect, it } from '@jest/globals';
import { addressOf, isPrivateAddress } from '../../../app/outbound/private-address.ts';

const PRIVATE = `
0.0.0.0 0.1.2.3 10.0.0.0 10.1.2.3 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254
169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1
192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::2 ::127.0.0.1 ::7f00:1 ::10.0.0.1 ::8.8.8.8
::ffff:127.0.0.1 ::ffff:7f00:1 ::FFFF:10.0.0.1 ::ffff:a9fe:a9fe ::ffff:192.168.1.1 ::ffff:0.0.0.0 0:0:0:0:0:ffff:7f00:1
::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::a00:1 64:ff9b::169.254.169.254 64:ff9b:1::1 64:ff9b:1:7f00:1::
100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:10::1 2001:20::1 2001:db8::1 2001:1ff:ffff::1
2002:7f00:1:: 2002:a00:1::1 2002:808:808::1 3fff::1 3fff:fff::1 4000::1 5f00::1
fc00::1 fd00::1 fdff:ffff::1 fe80::1 fe80::1%eth0 fe80::5efe:10.0.0.1 febf::1 fec0::1 ff02::1 ff0e::1
2606:4700::5efe:7f00:1 2606:4700::200:5efe:a00:1 2606:4700::5efe:192.168.1.1
`;

const PUBLIC = `
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 140.82.121.4 169.253.255.255
172.15.255.255 172.32.0.1 192.0.1.1 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
::ffff:8.8.8.8 64:ff9b::8.8.8.8 2001:200::1 2001:4860:4860::8888 2606:4700::1111 2a00:1450:4001::5 2606:4700::5eff:7f00:1
`;

const wordsOf = (text: string): readonly string[] => text.split(/\s+/).filter(Boolean);

describe('isPrivateAddress', () => {
  it.each(wordsOf(PRIVATE))('is true of %s', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each(['', 'localhost', '127.1', '0x7f000001', '1.2.3.4.5', ':::'])('is true of %p, which is none', (text) => {
    expect(isPrivateAddress(text)).toBe(true);
  });

  it.each(wordsOf(PUBLIC))('is false of %s', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });
});

describe('addressOf', () => {
  it('is an address as it is, and a name by asking', async () => {
    expect(await addressOf('192.0.2.1')).toBe('192.0.2.1');
    expect(await addressOf('[2001:db8::1]')).toBe('2001:db8::1');
    expect(['127.0.0.1', '::1']).toContain(await addressOf('localhost'));
    expect(await addressOf('no-such-host.invalid')).toBeUndefined();
  });
});
