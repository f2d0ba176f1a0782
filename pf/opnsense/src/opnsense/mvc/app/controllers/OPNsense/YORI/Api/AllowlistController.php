<?php

namespace OPNsense\YORI\Api;

use OPNsense\Base\ApiControllerBase;
use OPNsense\YORI\Control;

/** Devices that nothing blocks: those of the settings, and those that were added here. */
class AllowlistController extends ApiControllerBase
{
    public function searchAction()
    {
        $found = Control::ask('allowlist.list');
        $rows = isset($found['error']) ? [] : ($found['devices'] ?? $found);
        return $this->searchRecordsetBase(array_values(array_filter($rows, 'is_array')));
    }

    /** device: an address or a MAC address; name. */
    public function addAction()
    {
        if (!$this->request->isPost()) {
            return ['result' => 'failed'];
        }
        $words = [(string)$this->request->getPost('device'), (string)$this->request->getPost('name')];
        $found = Control::ask('allowlist.add', $words);
        return isset($found['error']) ? $found + ['result' => 'failed'] : $found + ['result' => 'saved'];
    }

    public function delAction($device = '')
    {
        if (!$this->request->isPost()) {
            return ['result' => 'failed'];
        }
        $found = Control::ask('allowlist.remove', [$device]);
        return isset($found['error']) ? $found + ['result' => 'failed'] : $found + ['result' => 'deleted'];
    }

    /** Whom the record knows, to choose from. */
    public function getRecentDevicesAction()
    {
        return ['devices' => Control::rows('devices', 'devices')];
    }
}
