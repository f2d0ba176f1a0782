/** An address as a QR code: inline SVG, one path, four modules of quiet zone (ISO/IEC 18004). */
import { encode } from 'uqr'
import { escaped } from '../../core/html.js'

const QUIET_ZONE = 4

export function qrCode(text: string, label: string): string {
  // One mask for all: choosing among the eight costs seven times as much.
  const { data, size } = encode(text, { ecc: 'M', border: QUIET_ZONE, maskPattern: 0 })
  const dark = data.flatMap((row, y) =>
    row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])),
  )
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" ` +
    `width="200" height="200" role="img" aria-label="${escaped(label)}" shape-rendering="crispEdges">` +
    `<rect width="${size}" height="${size}" fill="#fff"/>` +
    `<path fill="#000" d="${dark.join('')}"/></svg>`
  )
}
