<?php

namespace OPNsense\YORI;

use OPNsense\Core\Backend;

/**
 * The one way from the pages to YORI: actions of configd, which ask its control socket or run its
 * commands. OPNsense's PHP cannot open the record itself (it has no pdo_sqlite), and need not.
 */
class Control
{
    /** Passwords go to configd in files of this name, since others can see the words of a command. */
    private const SECRET = '/tmp/yori_secret_';

    /**
     * What the action of actions_yori.conf says, which is JSON.
     * @param string $action such as alerts or allowlist.add
     * @param array $words one for each %s of the action at most
     * @return array the answer, or error (a sentence) and status (as of HTTP)
     */
    public static function ask($action, array $words = [])
    {
        $text = (new Backend())->configdpRun('yori ' . $action, $words);
        $found = json_decode($text ?? '', true);
        if (is_array($found)) {
            return $found;
        }
        $said = trim((string)$text);
        return ['error' => $said !== '' ? $said : gettext('YORI does not answer.'), 'status' => 503];
    }

    /**
     * The rows of an answer, without what is no row.
     * @param string $key where they stand in it
     */
    public static function rows($action, $key, array $words = [])
    {
        $found = self::ask($action, $words);
        return array_values(array_filter($found[$key] ?? [], 'is_array'));
    }

    /** A file for configd with a password in it; `none` for none. */
    public static function secret($password)
    {
        if ((string)$password === '') {
            return 'none';
        }
        $path = self::SECRET . bin2hex(random_bytes(12));
        $file = fopen($path, 'x');
        if ($file === false) {
            return 'none';
        }
        chmod($path, 0600);
        fwrite($file, (string)$password);
        fclose($file);
        return $path;
    }

    /** The hash of a password, as yori.conf has it; null when YORI would not have that password. */
    public static function hash($password)
    {
        $text = trim((string)(new Backend())->configdpRun('yori hash', [self::secret($password)]));
        return preg_match('/^scrypt:\S{20,1024}$/D', $text) ? $text : null;
    }
}
