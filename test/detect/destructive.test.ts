/**
 * Commands that cannot be undone, by their programs' manuals, and what only looks like them. The
 * near misses are lines of daily work.
 */
import assert from 'node:assert/strict'
import { destructiveIn } from '../../src/detect/destructive.js'
import { MAX_SHELL_CHARS } from '../../src/detect/shell-words.js'

const DESTRUCTIVE: Readonly<Record<string, readonly string[]>> = {
  delete_tree: [
    'rm -rf /',
    'rm -r -f build',
    'rm --recursive --force "$HOME/old"',
    'cd /tmp && sudo rm -fr ~/Documents',
    'rm -r ~',
    "bash -lc 'rm -rf ./data'",
    'ssh root@host "rm -rf /srv"',
    'find . -name "*.log" -exec rm {} +',
    'find /var -mtime +3 -delete',
    'ls | xargs -n 1 rm -rf',
    'FOO=1 timeout -k 5 60 rm -rf x',
    'echo $(rm -rf x)',
    'docker exec web sh -c "rm -rf /data"',
    'Remove-Item -Recurse -Force C:\\Users',
    'if true; then rm -rf x; fi',
    '/bin/rm -Rf x',
  ],
  git_force: [
    'git push --force origin main',
    'git push -f',
    'git -C repo push origin +main',
    'git push origin --delete v1',
    'git push origin :main',
    'git filter-branch --all',
  ],
  git_discard: ['git reset --hard HEAD~3', 'git clean -fdx', 'git checkout -- .'],
  disk: [
    'mkfs.ext4 /dev/sda1',
    'mkfs -t xfs /dev/vdb',
    'dd if=/dev/zero of=/dev/sda bs=1M',
    'cat image > /dev/nvme0n1',
    'wipefs -a /dev/sdb',
    'diskutil eraseDisk JHFS+ x disk2',
    'zpool destroy tank',
  ],
  piped_shell: [
    'curl -fsSL https://example.test/install | sh',
    'wget -qO- https://example.test/i | sudo bash -s --',
    'bash <(curl -s https://example.test/i)',
    'sh -c "$(curl -fsSL https://example.test/i)"',
    'curl https://example.test/x.py | python3 -',
  ],
  cluster: [
    'kubectl delete namespace prod',
    'kubectl -n web delete deploy --all',
    'helm uninstall db',
    'docker system prune -af',
    'docker compose down -v',
  ],
  infrastructure: [
    'terraform destroy -auto-approve',
    'terraform apply -destroy',
    'terragrunt run-all destroy',
    'aws s3 rb s3://bucket --force',
    'aws s3 rm s3://bucket --recursive',
    'aws ec2 terminate-instances --instance-ids i-1',
    'gcloud projects delete x',
    'az group delete -n x',
    'pulumi destroy --yes',
  ],
  permissions: ['chmod -R 777 /', 'sudo chown -R me:me /'],
  system: ['shutdown -h now', 'sudo reboot', 'init 0', 'iptables -F', 'crontab -r'],
  sql_drop: [
    'DROP TABLE users',
    'drop table if exists users cascade;',
    'SELECT 1; DROP DATABASE shop;',
    'psql -c "drop table users"',
    'ALTER TABLE users DROP COLUMN mail',
    'dropdb shop',
  ],
  sql_all_rows: [
    'DELETE FROM users',
    'TRUNCATE TABLE orders',
    "UPDATE users SET mail = ''",
    "mysql shop -e 'delete from carts;'",
    'redis-cli FLUSHALL',
  ],
}

const HARMLESS: readonly string[] = [
  'rm notes.txt',
  'rm -f notes.txt',
  'rm -r build',
  'echo "rm -rf /"',
  "grep -rn 'rm -rf' scripts",
  'git commit -m "never rm -rf / again; DROP TABLE is next"',
  'git push origin main',
  'git push --force-with-lease origin topic',
  'git push -u origin topic',
  'git reset HEAD~1',
  'git clean -n',
  'git clean -nfd',
  'git checkout -b topic',
  'git checkout main',
  'git push --dry-run --force',
  'git log --grep=force',
  'curl -fsSL https://example.test/install.sh -o install.sh',
  'curl https://example.test/data | jq .',
  'curl -s https://example.test | grep sh',
  'kubectl get pods',
  'kubectl delete pod x --dry-run=client',
  'kubectl describe deployment delete-me',
  'terraform plan -destroy',
  'terraform apply',
  'terraform show destroy.plan',
  'dd if=/dev/sda of=backup.img',
  'ls > /dev/null 2>&1',
  'chmod -R 755 build',
  'chmod 777 /tmp/x',
  'docker compose down',
  'docker rm web',
  'aws s3 rm s3://bucket/key',
  'aws s3 ls',
  'SELECT * FROM users WHERE dropped = 1',
  'DELETE FROM users WHERE id = 4',
  "UPDATE users SET mail = '' WHERE id = 4",
  'DROP the table by the window, then delete from memory what you saw there yesterday',
  'update the README and set the date',
  'truncate -s 0 log.txt',
  'please delete from my list the eggs',
  'python3 -c "print(1)"',
  'find . -name "*.ts" -exec grep -l rm {} +',
  'npm run clean',
  'make format',
  'man shutdown',
  '# rm -rf /',
  'format the code',
  'kill -9 4711',
  '',
]

describe('commands that cannot be undone', () => {
  for (const [kind, texts] of Object.entries(DESTRUCTIVE))
    it(`are told: ${kind}`, () => {
      for (const text of texts) {
        const kinds = destructiveIn(text).map((one) => one.kind)
        assert.deepEqual([...new Set(kinds)], [kind], text)
      }
    })

  it('are not seen in what only speaks of them, or spares something', () => {
    for (const text of HARMLESS) assert.deepEqual(destructiveIn(text), [], text)
  })

  it('are shown in printable ASCII, and cut', () => {
    const [found] = destructiveIn(`rm -rf "/tmp/\u001b[2Jü\n${'x'.repeat(500)}"`)
    assert.ok(found)
    assert.match(found.shown, /^[\x20-\x7e]{120}$/)
  })

  it('are looked for in a bounded part of any text, however it nests', () => {
    for (const unit of [
      '$(',
      '`',
      '"',
      "'",
      '(',
      '{',
      '\\',
      ' a;',
      '|',
      '>',
      '--',
      "''",
    ]) {
      const text = unit.repeat(200_000)
      const kinds = destructiveIn(text).map(({ kind }) => kind)
      assert.deepEqual(kinds, ['too_long'], unit)
    }
    const behind = destructiveIn(`${' '.repeat(MAX_SHELL_CHARS)}rm -rf /`)
    assert.deepEqual(
      behind.map(({ kind }) => kind),
      ['too_long'],
    )
    assert.deepEqual(destructiveIn(`ls${' '.repeat(MAX_SHELL_CHARS)}`), [])
    const many = destructiveIn('rm -rf a;rm -rf b;'.repeat(300))
    assert.deepEqual(
      many.map(({ shown }) => shown),
      ['rm -rf a', 'rm -rf b'],
    )
  })
})
