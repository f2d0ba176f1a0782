/** Small pictures of the navigation, on a grid of 24. */
export const SIGNS: Readonly<Record<string, string>> = {
  today: 'M4 11l8-7 8 7v9h-5v-6H9v6H4z',
  live: 'M3 12h4l3-8 4 16 3-8h4',
  talks: 'M4 5h16v11H9l-5 4z',
  devices: 'M7 3h10v18H7zM11 18h2',
  approvals: 'M4 12l5 6L20 6',
  policies: 'M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6z',
  trust: 'M7 11V8a5 5 0 0110 0v3M5 11h14v10H5z',
  record: 'M5 4h14v16H5zM8 9h8M8 13h8M8 17h5',
  alerts: 'M6 17V11a6 6 0 0112 0v6l2 2H4zM10 21h4',
  settings: 'M4 7h10M18 7h2M4 17h4M12 17h8M16 5v4M10 15v4',
  more: 'M4 7h16M4 12h16M4 17h16',
}
