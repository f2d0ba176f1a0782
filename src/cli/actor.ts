/** Who is at the keyboard: `sudo` hides who typed it, and says so in a variable. */
export function actorOf(env: NodeJS.ProcessEnv): string {
  const name = env['SUDO_USER'] ?? env['USER'] ?? env['LOGNAME']
  return name ?? `uid ${process.getuid?.() ?? 'unknown'}`
}
