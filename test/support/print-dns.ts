// Usage: node print-dns.js NAME=ADDRESS... : a DNS server; prints its address.
import { DnsServer } from './dns-server.js'

const known = new Map(
  process.argv.slice(2).map((pair) => pair.split('=') as [string, string]),
)
const server = await DnsServer.start()
server.answer = (name, family) => {
  const address = known.get(name)
  const fits = address !== undefined && (family === 6) === address.includes(':')
  return { kind: 'addresses', addresses: fits ? [address] : [], ttl: 60 }
}
console.log(server.address)
