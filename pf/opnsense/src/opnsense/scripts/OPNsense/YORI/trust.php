#!/usr/local/bin/php
<?php

/**
 * Between OPNsense's store of authorities and YORI's:
 *   trust.php import REFID   the authority with its key becomes YORI's root
 *   trust.php export         YORI's root appears under System: Trust: Authorities
 */

require_once('config.inc');
require_once('script/load_phalcon.php');

use OPNsense\Core\Config;

const STATE = '/var/db/yori';

/** A command of yori as its user, without a shell of words that came in. */
function yori(array $words)
{
    $command = array_merge(['/usr/local/opnsense/scripts/OPNsense/YORI/yori.sh'], $words);
    $process = proc_open($command, [1 => ['pipe', 'w'], 2 => STDERR], $pipes);
    $text = stream_get_contents($pipes[1]);
    fclose($pipes[1]);
    return [proc_close($process), $text];
}

/** A file for YORI's user alone, gone when the script ends. */
function secret($text)
{
    $path = tempnam('/tmp', 'yori_ca_');
    chown($path, 'yori');
    file_put_contents($path, $text);
    register_shutdown_function(function () use ($path) {
        @unlink($path);
    });
    return $path;
}

function import($refid)
{
    foreach (Config::getInstance()->object()->ca as $ca) {
        if ((string)$ca->refid !== $refid) {
            continue;
        }
        if (empty((string)$ca->prv)) {
            return ['error' => 'the key of this authority is not here'];
        }
        $words = ['ca', 'import', '--config', '/usr/local/etc/yori/yori.conf'];
        $words[] = '--cert=' . secret(base64_decode((string)$ca->crt));
        $words[] = '--key=' . secret(base64_decode((string)$ca->prv));
        [$code, $text] = yori($words);
        return $code === 0 ? ['status' => 'ok'] : ['error' => trim($text)];
    }
    return ['error' => 'there is no such authority'];
}

function export()
{
    [$code, $pem] = yori(['ca', 'export', '--format', 'pem', '--config', '/usr/local/etc/yori/yori.conf']);
    if ($code !== 0 || openssl_x509_read($pem) === false) {
        return ['error' => 'YORI has no root yet'];
    }
    $config = Config::getInstance();
    $config->lock();
    foreach ($config->object()->ca as $ca) {
        $known = openssl_x509_fingerprint(base64_decode((string)$ca->crt), 'sha256');
        if ($known !== false && $known === openssl_x509_fingerprint($pem, 'sha256')) {
            return ['status' => 'ok', 'refid' => (string)$ca->refid];
        }
    }
    $ca = $config->object()->addChild('ca');
    $ca->addChild('refid', uniqid());
    $ca->addChild('descr', 'YORI');
    $ca->addChild('crt', base64_encode($pem));
    $ca->addChild('serial', '0');
    $config->save(['description' => 'YORI: its root as an authority']);
    return ['status' => 'ok', 'refid' => (string)$ca->refid];
}

$action = $argv[1] ?? '';
if ($action === 'import' && ctype_alnum($argv[2] ?? '')) {
    $result = import($argv[2]);
} elseif ($action === 'export') {
    $result = export();
} else {
    $result = ['error' => 'trust.php import REFID, or trust.php export'];
}
echo json_encode($result), PHP_EOL;
exit(isset($result['error']) ? 1 : 0);
