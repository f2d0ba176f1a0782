<?php

namespace OPNsense\YORI\Api;

use OPNsense\Base\ApiMutableModelControllerBase;
use OPNsense\Core\Config;
use OPNsense\YORI\Control;

/** The model: its values, and the rows of its lists. Nothing of it is in force until reconfigure. */
class SettingsController extends ApiMutableModelControllerBase
{
    protected static $internalModelName = 'yori';
    protected static $internalModelClass = '\OPNsense\YORI\General';

    /** Fields that take a password and keep its hash. */
    private const HASHED = [
        'override_password_hash',
        'emergency_password_hash',
        'admin_token_hash',
        'person_password_hash',
        'person_pin_hash',
    ];

    /** {@inheritdoc} */
    public function setAction()
    {
        $result = ['result' => 'failed'];
        if ($this->request->isPost()) {
            Config::getInstance()->lock();
            $given = $this->request->getPost(static::$internalModelName);
            $this->getModel()->setNodes(array_merge(is_array($given) ? $given : [], $this->hashed('yori')));
            $result = $this->validate();
            if (empty($result['result'])) {
                $this->setActionHook();
                return $this->save(false, true);
            }
        }
        return $result;
    }

    /**
     * The passwords among what was posted, as hashes. What YORI refuses stays as it was typed, and
     * the mask of its field refuses it, too.
     */
    private function hashed($name)
    {
        $given = $this->request->getPost($name);
        $result = [];
        foreach (is_array($given) ? array_intersect_key($given, array_flip(self::HASHED)) : [] as $field => $typed) {
            $isHash = !is_string($typed) || $typed === '' || preg_match('/^(?:\$?scrypt[:$]|sha256:)/', $typed);
            $hash = $isHash ? null : Control::hash($typed);
            if ($hash !== null) {
                $result[$field] = $hash;
            }
        }
        return $result;
    }

    /** As toggleBase() of a row whose switch is called after the row. */
    private function toggleRow($path, $uuids, $enabled)
    {
        $result = ['result' => 'failed', 'changed' => false];
        if (!$this->request->isPost()) {
            return $result;
        }
        Config::getInstance()->lock();
        [, $row] = explode('.', $path);
        foreach (explode(',', (string)$uuids) as $uuid) {
            $node = $this->getModel()->getNodeByReference($path . '.' . $uuid);
            if ($node === null) {
                continue;
            }
            $field = $row . '_enabled';
            $is = (string)$node->$field;
            $wanted = in_array($enabled, ['0', '1'], true) ? $enabled : ($is === '1' ? '0' : '1');
            $node->$field = $wanted;
            $result['result'] = $wanted === '1' ? 'Enabled' : 'Disabled';
            $result['changed'] = $result['changed'] || $wanted !== $is;
        }
        if ($result['changed']) {
            $this->save(false, true);
        }
        return $result;
    }

    public function searchDeviceAction()
    {
        return $this->searchBase('devices.device');
    }

    public function getDeviceAction($uuid = null)
    {
        return $this->getBase('device', 'devices.device', $uuid);
    }

    public function addDeviceAction()
    {
        return $this->addBase('device', 'devices.device', $this->hashed('device'));
    }

    public function setDeviceAction($uuid)
    {
        return $this->setBase('device', 'devices.device', $uuid, $this->hashed('device'));
    }

    public function delDeviceAction($uuid)
    {
        return $this->delBase('devices.device', $uuid);
    }

    public function toggleDeviceAction($uuid, $enabled = null)
    {
        return $this->toggleRow('devices.device', $uuid, $enabled);
    }

    public function searchGroupAction()
    {
        return $this->searchBase('groups.group');
    }

    public function getGroupAction($uuid = null)
    {
        return $this->getBase('group', 'groups.group', $uuid);
    }

    public function addGroupAction()
    {
        return $this->addBase('group', 'groups.group', $this->hashed('group'));
    }

    public function setGroupAction($uuid)
    {
        return $this->setBase('group', 'groups.group', $uuid, $this->hashed('group'));
    }

    public function delGroupAction($uuid)
    {
        return $this->delBase('groups.group', $uuid);
    }

    public function toggleGroupAction($uuid, $enabled = null)
    {
        return $this->toggleRow('groups.group', $uuid, $enabled);
    }

    public function searchScheduleAction()
    {
        return $this->searchBase('schedules.schedule');
    }

    public function getScheduleAction($uuid = null)
    {
        return $this->getBase('schedule', 'schedules.schedule', $uuid);
    }

    public function addScheduleAction()
    {
        return $this->addBase('schedule', 'schedules.schedule', $this->hashed('schedule'));
    }

    public function setScheduleAction($uuid)
    {
        return $this->setBase('schedule', 'schedules.schedule', $uuid, $this->hashed('schedule'));
    }

    public function delScheduleAction($uuid)
    {
        return $this->delBase('schedules.schedule', $uuid);
    }

    public function toggleScheduleAction($uuid, $enabled = null)
    {
        return $this->toggleRow('schedules.schedule', $uuid, $enabled);
    }

    public function searchPersonAction()
    {
        return $this->searchBase('people.person');
    }

    public function getPersonAction($uuid = null)
    {
        return $this->getBase('person', 'people.person', $uuid);
    }

    public function addPersonAction()
    {
        return $this->addBase('person', 'people.person', $this->hashed('person'));
    }

    public function setPersonAction($uuid)
    {
        return $this->setBase('person', 'people.person', $uuid, $this->hashed('person'));
    }

    public function delPersonAction($uuid)
    {
        return $this->delBase('people.person', $uuid);
    }

    public function searchEndpointAction()
    {
        return $this->searchBase('endpoints.endpoint');
    }

    public function getEndpointAction($uuid = null)
    {
        return $this->getBase('endpoint', 'endpoints.endpoint', $uuid);
    }

    public function addEndpointAction()
    {
        return $this->addBase('endpoint', 'endpoints.endpoint', $this->hashed('endpoint'));
    }

    public function setEndpointAction($uuid)
    {
        return $this->setBase('endpoint', 'endpoints.endpoint', $uuid, $this->hashed('endpoint'));
    }

    public function delEndpointAction($uuid)
    {
        return $this->delBase('endpoints.endpoint', $uuid);
    }

    public function toggleEndpointAction($uuid, $enabled = null)
    {
        return $this->toggleRow('endpoints.endpoint', $uuid, $enabled);
    }

    public function searchProviderAction()
    {
        return $this->searchBase('providers.provider');
    }

    public function getProviderAction($uuid = null)
    {
        return $this->getBase('provider', 'providers.provider', $uuid);
    }

    public function addProviderAction()
    {
        return $this->addBase('provider', 'providers.provider', $this->hashed('provider'));
    }

    public function setProviderAction($uuid)
    {
        return $this->setBase('provider', 'providers.provider', $uuid, $this->hashed('provider'));
    }

    public function delProviderAction($uuid)
    {
        return $this->delBase('providers.provider', $uuid);
    }

    public function searchPolicyAction()
    {
        return $this->searchBase('policies.policy');
    }

    public function getPolicyAction($uuid = null)
    {
        return $this->getBase('policy', 'policies.policy', $uuid);
    }

    public function addPolicyAction()
    {
        return $this->addBase('policy', 'policies.policy', $this->hashed('policy'));
    }

    public function setPolicyAction($uuid)
    {
        return $this->setBase('policy', 'policies.policy', $uuid, $this->hashed('policy'));
    }

    public function delPolicyAction($uuid)
    {
        return $this->delBase('policies.policy', $uuid);
    }

    public function togglePolicyAction($uuid, $enabled = null)
    {
        return $this->toggleRow('policies.policy', $uuid, $enabled);
    }

    public function searchParameterAction()
    {
        return $this->searchBase('parameters.parameter');
    }

    public function getParameterAction($uuid = null)
    {
        return $this->getBase('parameter', 'parameters.parameter', $uuid);
    }

    public function addParameterAction()
    {
        return $this->addBase('parameter', 'parameters.parameter', $this->hashed('parameter'));
    }

    public function setParameterAction($uuid)
    {
        return $this->setBase('parameter', 'parameters.parameter', $uuid, $this->hashed('parameter'));
    }

    public function delParameterAction($uuid)
    {
        return $this->delBase('parameters.parameter', $uuid);
    }

    public function searchSinkAction()
    {
        return $this->searchBase('sinks.sink');
    }

    public function getSinkAction($uuid = null)
    {
        return $this->getBase('sink', 'sinks.sink', $uuid);
    }

    public function addSinkAction()
    {
        return $this->addBase('sink', 'sinks.sink', $this->hashed('sink'));
    }

    public function setSinkAction($uuid)
    {
        return $this->setBase('sink', 'sinks.sink', $uuid, $this->hashed('sink'));
    }

    public function delSinkAction($uuid)
    {
        return $this->delBase('sinks.sink', $uuid);
    }

    public function toggleSinkAction($uuid, $enabled = null)
    {
        return $this->toggleRow('sinks.sink', $uuid, $enabled);
    }

    public function searchRuleAction()
    {
        return $this->searchBase('rules.rule');
    }

    public function getRuleAction($uuid = null)
    {
        return $this->getBase('rule', 'rules.rule', $uuid);
    }

    public function addRuleAction()
    {
        return $this->addBase('rule', 'rules.rule', $this->hashed('rule'));
    }

    public function setRuleAction($uuid)
    {
        return $this->setBase('rule', 'rules.rule', $uuid, $this->hashed('rule'));
    }

    public function delRuleAction($uuid)
    {
        return $this->delBase('rules.rule', $uuid);
    }

    public function toggleRuleAction($uuid, $enabled = null)
    {
        return $this->toggleRow('rules.rule', $uuid, $enabled);
    }

    public function searchLimitAction()
    {
        return $this->searchBase('limits.limit');
    }

    public function getLimitAction($uuid = null)
    {
        return $this->getBase('limit', 'limits.limit', $uuid);
    }

    public function addLimitAction()
    {
        return $this->addBase('limit', 'limits.limit', $this->hashed('limit'));
    }

    public function setLimitAction($uuid)
    {
        return $this->setBase('limit', 'limits.limit', $uuid, $this->hashed('limit'));
    }

    public function delLimitAction($uuid)
    {
        return $this->delBase('limits.limit', $uuid);
    }
}
