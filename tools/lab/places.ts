/** Names and addresses of the lab: RFC 5737, RFC 3849 and RFC 4193. */

export const LLM_NAME = 'api.openai.com'
export const OTHER_NAME = 'www.example.org'
export const ORIGIN_CA = 'Origin Test CA'
export const LLM = { 4: '203.0.113.7', 6: '2001:db8:9::42' } as const
export const OTHER = { 4: '203.0.113.8', 6: '2001:db8:9::43' } as const
export const WAN = { 4: '198.51.100.1', 6: '2001:db8:78::1' } as const
export const PORT = 8443
/** Led from the router's outer address to `tv`. */
export const HAIRPIN_PORT = 8080
/** Of `tv`, which is left alone by it. */
export const TV_MAC = '02:00:5e:10:00:07'

/** Networks behind the router: what its own addresses are, and who stands there. */
export const NETS = {
  lan: { at: 'br0', net4: '10.77.0', nets6: ['fd77:0:0:0', '2001:db8:77:0'] },
  second: { at: 'lan1', net4: '10.77.1', nets6: ['fd77:0:0:1', '2001:db8:77:1'] },
  vlan: { at: 'trunk0.20', net4: '10.77.20', nets6: ['fd77:0:0:20', '2001:db8:77:20'] },
  guests: { at: 'guest0', net4: '10.77.99', nets6: ['fd77:0:0:99', '2001:db8:77:99'] },
} as const

export type Net = keyof typeof NETS

export const STEERED_INTERFACES = ['br0', 'lan1', 'trunk0.20'] as const

export const routerIn = (net: Net, family: 4 | 6): string =>
  family === 4 ? `${NETS[net].net4}.1` : `${NETS[net].nets6[1]}::1`

export const hostIn = (net: Net, host: number, family: 4 | 6): string =>
  family === 4 ? `${NETS[net].net4}.${host}` : `${NETS[net].nets6[1]}::${host}`

/** Its unique local address: RFC 4193. */
export const ulaIn = (net: Net, host: number): string => `${NETS[net].nets6[0]}::${host}`
