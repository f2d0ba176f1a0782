<?php

namespace OPNsense\YORI;

/**
 * From the problems that `yori config check` finds in the file to the fields of the model that it
 * was written from: keys.json says which key each field is.
 */
class Problems
{
    /** Arrays of the model that are lists in the file, and those that are maps by a name. */
    private const MAPS = [
        'alerts.sinks' => ['sinks.sink', 'sink_name'],
        'alerts.rules' => ['rules.rule', 'rule_name'],
        'policies.files' => ['policies.policy', 'policy_name'],
        'providers' => ['providers.provider', 'provider_name'],
    ];

    /**
     * @param array $problems of the JSON of `yori config check`
     * @param General $model what the file was written from
     * @return array messages by field, as a form shows them; what is no field's stands at `mode`
     */
    public static function atFields(array $problems, $model)
    {
        $result = [];
        foreach ($problems as $problem) {
            $field = self::fieldOf((string)($problem['key'] ?? ''), $model) ?? 'mode';
            $right = (string)($problem['right'] ?? '');
            $text = trim(($problem['key'] ?? '') . ': ' . ($problem['wrong'] ?? '') . '; ' . $right, ':; ');
            $name = 'yori.' . $field;
            $result[$name] = isset($result[$name]) ? $result[$name] . "\n" . $text : $text;
        }
        return $result;
    }

    /** Such as devices.device.UUID.device_ip for enforcement.allowlist.devices[2].ip. */
    public static function fieldOf($key, $model)
    {
        $paths = self::paths();
        // Steps; what stands in brackets is the number of a row, or a name in quotes.
        preg_match_all('/([\w-]+)|\[(\d+)\]|\["((?:[^"\\\\]|\\\\.)*)"\]/', $key, $found, PREG_SET_ORDER);
        $steps = [];
        $index = null;
        foreach ($found as $step) {
            if (($step[2] ?? '') !== '') {
                $index = (int)$step[2];
            } else {
                $steps[] = isset($step[3]) ? json_decode('"' . $step[3] . '"') : $step[1];
            }
        }
        $name = null;
        foreach (array_keys(self::MAPS) as $map) {
            $depth = count(explode('.', $map));
            if (implode('.', array_slice($steps, 0, $depth)) === $map && isset($steps[$depth])) {
                $name = $steps[$depth];
                $rest = array_slice($steps, $depth + 1);
                $steps = array_merge(explode('.', $map), $rest ? array_merge(['NAME'], $rest) : []);
                break;
            }
        }
        if (isset($steps[0]) && in_array($steps[0], ['limits', 'timeouts'], true)) {
            $name = implode('.', $steps);
            $steps = ['limits'];
        }
        // The nearest key that has a field: of `params.start_hour` it is `params`.
        while ($steps) {
            $key = implode('.', $steps);
            foreach ($paths[$key] ?? self::namesBelow($key, $paths) as $path) {
                $field = self::inRow($path, $index, $name, $model);
                if ($field !== null) {
                    return $field;
                }
            }
            array_pop($steps);
        }
        return null;
    }

    /** By key; where several fields make one value, the last is the value, and comes first. */
    private static function paths()
    {
        $file = dirname(__DIR__, 3) . '/models/OPNsense/YORI/keys.json';
        $result = [];
        foreach (array_reverse(json_decode(file_get_contents($file), true)) as $path => $key) {
            $result[$key][] = $path;
        }
        return $result;
    }

    /** Of a row as a whole: the field that names it. */
    private static function namesBelow($key, array $paths)
    {
        $isName = fn ($one) => in_array($one, ["$key.name", "$key.domain"], true);
        return array_merge(...array_values(array_filter($paths, $isName, ARRAY_FILTER_USE_KEY)));
    }

    private static function inRow($path, $index, $name, $model)
    {
        $parts = explode('.', $path);
        if (count($parts) !== 3) {
            return $path;
        }
        [$outer, $inner, $leaf] = $parts;
        $number = 0;
        foreach ($model->$outer->$inner->iterateItems() as $uuid => $row) {
            $isNamed = $name !== null && self::nameOf($row, $inner) === $name;
            if ($isNamed || ($name === null && $number === $index)) {
                return "$outer.$inner.$uuid.$leaf";
            }
            $number++;
        }
        return null;
    }

    private static function nameOf($row, $inner)
    {
        if ($inner === 'limit') {
            return (string)$row->limit_key;
        }
        $field = $inner === 'parameter' ? 'parameter_policy' : $inner . '_name';
        return (string)$row->$field;
    }
}
