import { objectOf, setOf } from '../../../src/rego/value.js'
import { checkAll } from './call.js'

// Expected: Go's documentation of package time (its example moments), `date -u`, RFC 4632, RFC 5952.
describe('rego time', () => {
  checkAll([
    ['time.now_ns', '[]', '1700000000000000000'],
    ['time.parse_rfc3339_ns', '["2006-01-02T15:04:05Z"]', '1136214245000000000'],
    [
      'time.parse_rfc3339_ns',
      '["2006-01-02T15:04:05.123456789-07:00"]',
      '1136239445123456789',
    ],
    [
      'time.parse_rfc3339_ns',
      '["2006-01-02T15:04:05"]',
      '!time.parse_rfc3339_ns: parsing time "2006-01-02T15:04:05" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"',
    ],
    [
      'time.parse_rfc3339_ns',
      '["2262-04-11T23:47:16.854775808Z"]',
      '!time.parse_rfc3339_ns: time outside of valid range',
    ],
    [
      'time.parse_ns',
      '["2006-01-02", "2023-02-29"]',
      '!time.parse_ns: parsing time "2023-02-29": day out of range',
    ],
    [
      'time.parse_ns',
      '["2006-01-02", "2023-13-01"]',
      '!time.parse_ns: parsing time "2023-13-01": month out of range',
    ],
    [
      'time.parse_ns',
      '["2006-01-02", "2024-02-29 x"]',
      '!time.parse_ns: parsing time "2024-02-29 x": extra text: " x"',
    ],
    [
      'time.parse_ns',
      '["2006-01-02 15:04:05 -0700", "2024-02-29 12:00:00 +0100"]',
      '1709204400000000000',
    ],
    [
      'time.parse_ns',
      '["Jan _2 2006 3:04pm", "feb  3 2013 7:54PM"]',
      '!time.parse_ns: parsing time "feb  3 2013 7:54PM" as "Jan _2 2006 3:04pm": cannot parse "PM" as "pm"',
    ],
    [
      'time.parse_ns',
      '["Jan _2 2006 3:04PM", "feb  3 2013 12:54AM"]',
      '1359852840000000000',
    ],
    [
      'time.parse_ns',
      '["RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"]',
      '1136214245000000000',
    ],
    ['time.parse_ns', '["2006 002", "2024 060"]', '1709164800000000000'],
    ['time.parse_ns', '["06", "69"]', '-31536000000000000'],
    [
      'time.parse_ns',
      '["15:04:05", "10:20:30.5"]',
      '!time.parse_ns: time outside of valid range',
    ],
    ['time.parse_duration_ns', '["1h15m30.918s"]', '4530918000000'],
    ['time.parse_duration_ns', '["-1.5h"]', '-5400000000000'],
    ['time.parse_duration_ns', '["1\\u00b5s"]', '1000'],
    [
      'time.parse_duration_ns',
      '["3d"]',
      '!time.parse_duration_ns: time: unknown unit "d" in duration "3d"',
    ],
    [
      'time.parse_duration_ns',
      '["3"]',
      '!time.parse_duration_ns: time: missing unit in duration "3"',
    ],
    [
      'time.parse_duration_ns',
      '[""]',
      '!time.parse_duration_ns: time: invalid duration ""',
    ],
    ['time.format', '[1136214245000000000]', '"2006-01-02T15:04:05Z"'],
    [
      'time.format',
      '[[1136214245123000000, "America/Denver"]]',
      '"2006-01-02T08:04:05.123-07:00"',
    ],
    [
      'time.format',
      '[[1136214245000000000, "Europe/Berlin", "RFC1123"]]',
      '"Mon, 02 Jan 2006 16:04:05 CET"',
    ],
    [
      'time.format',
      '[[1719835200000000000, "America/New_York", "RFC850"]]',
      '"Monday, 01-Jul-24 08:00:00 EDT"',
    ],
    [
      'time.format',
      '[[1136214245000000000, "Asia/Dubai", "MST -07 -07:00"]]',
      '"+04 +04 +04:00"',
    ],
    [
      'time.format',
      '[[1136214245000000000, "", "Jan _2 06 03:04PM .000 __2 Monday"]]',
      '"Jan  2 06 03:04PM .000   2 Monday"',
    ],
    ['time.format', '[[1536814198000000000, "America/St_Johns", "MST"]]', '"NDT"'],
    ['time.format', '[[1720000000000000000, "Europe/Dublin", "MST"]]', '"IST"'],
    ['time.format', '[[1720000000000000000, "Asia/Tokyo", "MST"]]', '"JST"'],
    [
      'time.format',
      '[[0, "Nowhere/Land"]]',
      '!time.format: unknown time zone Nowhere/Land',
    ],
    ['time.date', '[1517832000000000000]', '[2018, 2, 5]'],
    ['time.date', '[[1517832000000000000, "Asia/Tokyo"]]', '[2018, 2, 5]'],
    ['time.date', '[[1517846400000000000, "Asia/Tokyo"]]', '[2018, 2, 6]'],
    ['time.date', '[-1]', '[1969, 12, 31]'],
    ['time.clock', '[[1517832000000000000, "Asia/Kolkata"]]', '[17, 30, 0]'],
    ['time.clock', '[1e30]', '!time.clock: timestamp too big'],
    [
      'time.clock',
      '["x"]',
      '!time.clock: operand 1 must be either number (ns) or [number (ns), string (tz)] but got string',
    ],
    ['time.weekday', '[1518264000000000000]', '"Saturday"'],
    ['time.add_date', '[1585852421593912000, 3, 9, 12]', '1705257221593912000'],
    ['time.add_date', '[1706659200000000000, 0, 1, 0]', '1709337600000000000'],
    [
      'time.add_date',
      '[-9223372036854775808, 0, 0, -1]',
      '!time.add_date: time outside of valid range',
    ],
    [
      'time.add_date',
      '[0, 1e3, 0, 0]',
      '!time.add_date: operand 2 must be integer number but got floating-point number',
    ],
    ['time.diff', '[1709251200000000000, 1706659200000000000]', '[0, 1, 1, 0, 0, 0]'],
    ['time.diff', '[1709337600000000000, 1675123199000000000]', '[1, 1, 2, 0, 0, 1]'],
  ])
})

describe('rego CIDR blocks', () => {
  checkAll([
    ['net.cidr_contains', '["10.0.0.0/8", "10.1.1.1"]', 'true'],
    ['net.cidr_contains', '["127.0.0.64/26", "127.0.0.64/25"]', 'false'],
    ['net.cidr_contains', '["::/0", "10.0.0.1"]', 'false'],
    ['net.cidr_contains', '["::ffff:10.0.0.0/104", "10.9.9.9"]', 'true'],
    [
      'net.cidr_contains',
      '["10.0.0.0/8", "010.0.0.1"]',
      '!net.cidr_contains: not a valid textual representation of an IP address or CIDR: 010.0.0.1',
    ],
    [
      'net.cidr_contains',
      '["x", "10.0.0.1"]',
      '!net.cidr_contains: invalid CIDR address: x',
    ],
    ['net.cidr_intersects', '["192.168.0.0/16", "192.168.1.0/24"]', 'true'],
    ['net.cidr_intersects', '["192.168.1.0/25", "192.168.1.128/25"]', 'false'],
    [
      'net.cidr_contains_matches',
      '[[["1.1.0.0/16", "foo"], "1.1.2.0/24"], ["1.1.1.128", ["1.1.254.254", "bar"]]]',
      '{[0, 0], [0, 1]}',
    ],
    [
      'net.cidr_contains_matches',
      [setOf(['1.1.0.0/16']), objectOf([['x', '1.1.1.1']])],
      '{["1.1.0.0/16", "x"]}',
    ],
    [
      'net.cidr_contains_matches',
      '["1.1.0.0/16", [1]]',
      '!net.cidr_contains_matches: operand 2: element must be string or non-empty array',
    ],
    [
      'net.cidr_expand',
      '["192.168.0.3/30"]',
      '{"192.168.0.0", "192.168.0.1", "192.168.0.2", "192.168.0.3"}',
    ],
    ['net.cidr_expand', '["2001:db8::/127"]', '{"2001:db8::", "2001:db8::1"}'],
    [
      'net.cidr_expand',
      '["10.0.0.0/8"]',
      '!net.cidr_expand: CIDR is over the limit of 1000000 addresses',
    ],
    ['net.cidr_merge', '[["192.0.128.0/24", "192.0.129.0/24"]]', '{"192.0.128.0/23"}'],
    [
      'net.cidr_merge',
      '[["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/33", "2001:db8:8000::/33"]]',
      '{"10.0.0.0/8", "2001:db8::/32"}',
    ],
    [
      'net.cidr_merge',
      '[["2001:db8::1"]]',
      '!net.cidr_merge: IPv6 invalid: needs prefix length',
    ],
    ['net.cidr_merge', '[["0:0:1::0:0:1/128"]]', '{"0:0:1::1/128"}'],
    ['net.cidr_is_valid', '["192.168.1.0/24"]', 'true'],
    ['net.cidr_is_valid', '["192.168.1.0/33"]', 'false'],
    ['net.cidr_is_valid', '["192.168.1.0"]', 'false'],
    ['net.cidr_is_valid', '["fe80::1%eth0/64"]', 'false'],
  ])
})
