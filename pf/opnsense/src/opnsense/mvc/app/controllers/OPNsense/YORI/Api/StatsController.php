<?php

namespace OPNsense\YORI\Api;

use OPNsense\Base\ApiControllerBase;
use OPNsense\YORI\Control;

/** What was asked, how often, and what policies said to it. */
class StatsController extends ApiControllerBase
{
    private const BLOCKS = 100;

    /** since: a span such as 7d; 30 days unless given. */
    public function getAction()
    {
        return Control::ask('usage', [$this->since('30d')]);
    }

    public function recentBlocksAction()
    {
        return ['blocks' => array_slice($this->blocks(), 0, self::BLOCKS)];
    }

    /** Policies by what they blocked, among the last hundred. */
    public function topPoliciesAction()
    {
        $counts = array_count_values(array_filter(array_column($this->blocks(), 'policy_name')));
        arsort($counts);
        $row = fn ($name, $count) => ['policy' => $name, 'blocks' => $count];
        return ['policies' => array_map($row, array_keys($counts), array_values($counts))];
    }

    /** The last 24 hours, by hour and device. */
    public function timelineAction()
    {
        $found = Control::ask('overview');
        return isset($found['error']) ? $found : ($found['activity'] ?? []);
    }

    public function dailyStatsAction()
    {
        $found = Control::ask('usage', [$this->since('30d')]);
        return isset($found['error']) ? $found : ['days' => $found['days'] ?? []];
    }

    /** Who changed what of the settings, as far as YORI was told. */
    public function modeHistoryAction()
    {
        return Control::ask('history');
    }

    public function reportAction()
    {
        return Control::ask('report', [$this->since('7d')]);
    }

    private function blocks()
    {
        return Control::rows('exchanges', 'exchanges', ['', 'block', '']);
    }

    private function since($usual)
    {
        $since = (string)$this->request->get('since');
        return preg_match('/^[0-9]{1,4}[smhd]$/D', $since) ? $since : $usual;
    }
}
