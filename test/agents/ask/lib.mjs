// What each script beside this one does: asks once, prints what the library gave. What it
// throws is printed as its user would see it, and is exit 1.
export const prompt = process.argv[2] ?? 'hello'

export async function ask(call) {
  try {
    console.log(await call())
  } catch (error) {
    console.log(`${error?.name}: ${error?.message ?? error}`)
    process.exitCode = 1
  }
}

export async function joined(stream, textOf) {
  let text = ''
  for await (const event of stream) text += textOf(event) ?? ''
  return text
}
